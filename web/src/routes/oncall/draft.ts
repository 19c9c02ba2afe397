// A schedule while it is edited: times as wall clocks of its zones, as the fields of a form hold them. Pure.
import type { Layer, Restriction, Schedule, ScheduleInput, TurnUnit } from '../../lib/api/index.ts';
import { instantInZone, localInZone, millis } from '../../lib/time.ts';

export interface LayerDraft {
  key: number;
  /** As given by the server, kept to the second while its field is untouched. */
  given: Layer | null;
  start: string;
  /** Empty: it does not end. */
  until: string;
  /** Empty: the schedule's. */
  zone: string;
  /** Empty: at the time of day of `start`. */
  handOff: string;
  every: number;
  unit: TurnUnit;
  members: string[];
  restrictions: Restriction[];
}

export interface ScheduleDraft {
  name: string;
  zone: string;
  layers: LayerDraft[];
}

let keys = 0;

/** A layer as it begins: weekly turns from nine o'clock of this Monday. */
export function newLayer(now: number, zone: string): LayerDraft {
  const today = localInZone(now, zone).slice(0, 10);
  const weekday = (new Date(`${today}T00:00Z`).getUTCDay() + 6) % 7;
  const monday = new Date(Date.parse(`${today}T00:00Z`) - weekday * 86_400_000).toISOString().slice(0, 10);
  return { key: (keys += 1), given: null, start: `${monday}T09:00`, until: '', zone: '', handOff: '', every: 1, unit: 'weeks', members: [], restrictions: [] };
}

export function newSchedule(now: number, zone: string): ScheduleDraft {
  return { name: '', zone, layers: [newLayer(now, zone)] };
}

export function draftOf(schedule: Schedule): ScheduleDraft {
  const layers = schedule.layers.map((layer) => {
    const zone = layer.time_zone ?? schedule.time_zone;
    return {
      key: (keys += 1),
      given: layer,
      start: localInZone(millis(layer.start), zone),
      until: layer.until ? localInZone(millis(layer.until), zone) : '',
      zone: layer.time_zone ?? '',
      handOff: layer.hand_off?.slice(0, 16) ?? '',
      every: layer.turn.every,
      unit: layer.turn.unit,
      members: [...layer.members],
      restrictions: structuredClone(layer.restrictions),
    };
  });
  return { name: schedule.name, zone: schedule.time_zone, layers };
}

/** What is sent. A time that the form cannot read is an error in words. */
export function inputOf(draft: ScheduleDraft): ScheduleInput {
  return { name: draft.name.trim(), time_zone: draft.zone, layers: draft.layers.map((layer) => layerInput(layer, draft.zone)) };
}

function layerInput(layer: LayerDraft, scheduleZone: string): Layer {
  const zone = layer.zone || scheduleZone;
  const exact = (local: string, given: string | null | undefined): string =>
    given && localInZone(millis(given), zone) === local ? given : instantInZone(local, zone);
  return {
    start: exact(layer.start, layer.given?.start),
    until: layer.until === '' ? null : exact(layer.until, layer.given?.until),
    time_zone: layer.zone || null,
    hand_off: layer.handOff === '' ? null : layer.given?.hand_off?.startsWith(layer.handOff) ? layer.given.hand_off : layer.handOff,
    turn: { every: layer.every, unit: layer.unit },
    members: layer.members,
    restrictions: layer.restrictions,
  };
}

/** Whether it can be rendered: every layer has people and times. */
export function isComplete(draft: ScheduleDraft): boolean {
  return draft.layers.length > 0 && draft.layers.every((layer) => layer.members.length > 0 && layer.start !== '' && layer.every >= 1);
}
