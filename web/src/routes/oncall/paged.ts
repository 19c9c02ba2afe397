// Who would be paged now by the levels of a policy: each target resolved by who is on call and whether they can be reached. Pure.
import type { PolicyLevel, Schedule, User } from '../../lib/api/index.ts';

export interface PagedTarget {
  /** Null: nobody. */
  name: string | null;
  /** Which schedule puts them there; null for a person that is named. */
  via: string | null;
  until: string | null;
  /** Why nobody would be paged here. */
  problem: string | null;
}

export interface PagedLevel {
  /** Minutes after the failure, in the first round. */
  afterMinutes: number;
  /** Nobody can be paged here: it is passed over at once. */
  skipped: boolean;
  targets: PagedTarget[];
}

/** The levels in order. A level of nobody takes no time: the next one is called at once. */
export function pagedNow(levels: PolicyLevel[], people: User[], schedules: Schedule[]): PagedLevel[] {
  let after = 0;
  return levels.map((level) => {
    const targets = level.targets.map((target) => pagedTarget(target, people, schedules));
    const skipped = targets.every((each) => each.problem !== null);
    const at = after;
    if (!skipped) after += level.delay_minutes;
    return { afterMinutes: at, skipped, targets };
  });
}

function pagedTarget(target: PolicyLevel['targets'][number], people: User[], schedules: Schedule[]): PagedTarget {
  if (target.kind === 'user') return person(people.find((each) => each.id === target.id), null, null);
  const schedule = schedules.find((each) => each.id === target.id);
  if (!schedule) return { name: null, via: null, until: null, problem: 'What was called here is removed.' };
  if (!schedule.on_call_now) return { name: null, via: schedule.name, until: schedule.next_handoff_at, problem: 'Nobody is on call there now.' };
  const now = schedule.on_call_now;
  return person(people.find((each) => each.id === now.id), schedule, schedule.next_handoff_at);
}

function person(user: User | undefined, schedule: Schedule | null, until: string | null): PagedTarget {
  const via = schedule?.name ?? null;
  if (!user) return { name: null, via, until, problem: 'This person is removed.' };
  return { name: user.name, via, until, problem: user.reachable ? null : 'No verified contact method.' };
}
