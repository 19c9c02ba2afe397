// Who would be paged now by the levels of a policy: each target resolved by who is on call and whether they can be reached. Pure.
import type { EscalationPolicy, PolicyLevel, Schedule, Service, Team, User } from '../../lib/api/index.ts';
import { sentence } from '../../lib/words.ts';

export interface PagedTarget {
  /** Null: nobody. */
  name: string | null;
  /** Which schedule or team puts them there; null for a person that is named. */
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
  /** Only one of the targets is paged each time an incident reaches the level, in turn. */
  inTurn: boolean;
  /** Whoever is paged here must acknowledge in person. */
  each: boolean;
  targets: PagedTarget[];
}

/** The services whose failure a policy is followed for: those that name it, and of the default one those that name none. */
export function followers<Each extends Pick<Service, 'escalation_policy_id'>>(services: Each[], policy: Pick<EscalationPolicy, 'id' | 'default'>): Each[] {
  return services.filter((each) => (each.escalation_policy_id === null ? policy.default === true : each.escalation_policy_id === policy.id));
}

/** The levels in order. A level of nobody takes no time: the next one is called at once. */
export function pagedNow(levels: PolicyLevel[], people: User[], schedules: Schedule[], teams: Team[]): PagedLevel[] {
  let after = 0;
  return levels.map((level) => {
    const targets = level.targets.flatMap((target) => pagedTargets(target, people, schedules, teams));
    const skipped = targets.every((each) => each.problem !== null);
    const at = after;
    if (!skipped) after += level.delay_minutes;
    return { afterMinutes: at, skipped, inTurn: level.round_robin === true, each: level.each_must_acknowledge === true, targets };
  });
}

function pagedTargets(target: PolicyLevel['targets'][number], people: User[], schedules: Schedule[], teams: Team[]): PagedTarget[] {
  const byId = (id: string): User | undefined => people.find((each) => each.id === id);
  switch (target.kind) {
    case 'user':
      return [person(byId(target.id), null, null)];
    case 'schedule':
      return [onDuty(schedules.find((each) => each.id === target.id), byId)];
    case 'team':
      return teamOf(teams.find((each) => each.id === target.id), byId);
  }
}

function onDuty(schedule: Schedule | undefined, byId: (id: string) => User | undefined): PagedTarget {
  if (!schedule) return { name: null, via: null, until: null, problem: 'What was called here is removed.' };
  if (!schedule.on_call_now) return { name: null, via: schedule.name, until: schedule.next_handoff_at, problem: 'Nobody is on call there now.' };
  return person(byId(schedule.on_call_now.id), schedule.name, schedule.next_handoff_at);
}

function teamOf(team: Team | undefined, byId: (id: string) => User | undefined): PagedTarget[] {
  if (!team) return [{ name: null, via: null, until: null, problem: 'The team that was called here is removed.' }];
  if (team.members.length === 0) return [{ name: null, via: team.name, until: null, problem: 'Nobody is in this team.' }];
  return team.members.map((member) => person(byId(member.id), team.name, null));
}

function person(user: User | undefined, via: string | null, until: string | null): PagedTarget {
  if (!user) return { name: null, via, until, problem: 'This person is removed.' };
  return { name: user.name, via, until, problem: user.reach_problem === null ? null : sentence(user.reach_problem) };
}
