// The stand-in's answers to what responders do beyond acknowledging and resolving. It keeps what was done and pages nobody.
const WEEK_SECONDS = 604_800;
const iso = (at) => new Date(at).toISOString();
const named = (mock, id) => ({ id, name: mock.users.find((each) => each.id === id)?.name ?? 'a removed person' });

/** What every incident has unless its story says otherwise. */
export const UNANSWERED = { acknowledgement_ends_at: null, snoozed_until: null, assigned_to: [], priority: null, merged_into: null };

/** What one deed makes of an incident: `{ status, title, detail }` for the timeline, or `{ problem, code }`; undefined for no deed of these. */
export function deed(mock, incident, at, body) {
  const over = incident.status === 'resolved';
  const refused = (problem, code = 409) => ({ problem, code });
  switch (at) {
    case 'POST snooze':
      if (over) return refused('incident is resolved already');
      if (!(body.seconds >= 1 && body.seconds <= WEEK_SECONDS)) return refused('duration: 1 second to 7 days', 422);
      incident.snoozed_until = iso(Date.now() + body.seconds * 1_000);
      return { status: incident.status === 'triggered' ? 'acknowledged' : null, title: 'Snoozed', detail: `until ${incident.snoozed_until}` };
    case 'DELETE snooze':
      incident.snoozed_until = null;
      return { status: null, title: 'Snooze ended', detail: '' };
    case 'POST reassign':
      if (over) return refused('incident is resolved already');
      return given(mock, incident, body);
    case 'POST escalate':
      if (incident.urgency === 'low') return refused('its urgency is low, which pages nobody: set the urgency to high first');
      incident.paging.level += 1;
      return { status: null, title: 'Escalated by hand', detail: '' };
    case 'POST responders':
      for (const id of body.people ?? []) incident.responders.push({ user: named(mock, id), message: body.message, asked_at: iso(Date.now()), answer: 'pending', answered_at: null });
      return { status: null, title: 'Asked for help', detail: body.message };
    case 'POST responders/answer': {
      const own = incident.responders.find((each) => each.user.id === mock.users[0].id);
      if (!own) return refused('they were not asked to help with it');
      Object.assign(own, { answer: body.accept ? 'accepted' : 'declined', answered_at: iso(Date.now()) });
      return { status: null, title: body.accept ? 'Comes to help' : 'Cannot help', detail: '' };
    }
    case 'PUT priority':
      incident.priority = body.priority;
      return { status: null, title: 'Priority set', detail: body.priority ?? 'none' };
    case 'PUT urgency':
      incident.urgency = body.urgency;
      return { status: null, title: `Urgency is ${body.urgency} now`, detail: '' };
    case 'POST merge': {
      const sources = mock.incidents.filter((each) => body.sources.includes(each.id));
      for (const source of sources) Object.assign(source, { status: 'resolved', resolved_at: iso(Date.now()), merged_into: incident.number });
      incident.merged.push(...sources.map((each) => each.number));
      incident.alerts.push(...sources.flatMap((each) => each.alerts));
      return { status: null, title: 'Merged', detail: sources.map((each) => `#${each.number}`).join(', ') };
    }
    default:
      return undefined;
  }
}

/** Somebody else has it from now on, and is paged: people, at no level of its policy, or whoever a policy names first. */
function given(mock, incident, { people = [], policy_id = null }) {
  const policy = mock.policies.find((each) => each.id === policy_id);
  const to = people.map((id) => named(mock, id));
  const paged = to.filter((each) => mock.users.find((user) => user.id === each.id)?.reachable);
  Object.assign(incident, { status: 'triggered', acknowledged_at: null, acknowledged_by: null, snoozed_until: null, assigned_to: to });
  Object.assign(incident.paging, { ...(policy && { policy: { id: policy.id, name: policy.name } }), level: policy ? 1 : 0, loop: 0, exhausted: false, recipients: paged, acknowledged_by: [], next_escalation_at: iso(Date.now() + 300_000) });
  return { status: null, title: 'Given to somebody else', detail: policy?.name ?? to.map((each) => each.name).join(', ') };
}

/** Why the bulk action is refused for an incident; null where it works. */
export function bulkProblem(incident, action) {
  if (!incident || incident.status === 'resolved') return 'the incident is resolved already';
  const watched = incident.alerts.some((each) => each.status === 'firing' && each.source === 'monitor');
  return action === 'resolve' && watched ? 'it still fails: it resolves by itself 15 seconds after it has recovered' : null;
}
