// Every call the screens may make, by noun. It must not know how an answer is shown, nor cache anything.
import { API_BASE, ApiError, request, requestText } from './client.ts';
import type * as T from './types.ts';

export * from './types.ts';
export { ApiError } from './client.ts';

const path = (...parts: string[]): string => parts.map((part) => `/${encodeURIComponent(part)}`).join('');

/** What a path ends with for a place; that of the first has no number. */
const further = (place: number): string[] => (place > 1 ? [String(place)] : []);

const list = async <Item>(of: string, signal?: AbortSignal): Promise<Item[]> =>
  (await request<{ items: Item[] }>(of, { query: { limit: 200 }, ...(signal && { signal }) })).items;

/** Follows the cursor to the end, or to as many items as a person can still read. */
async function listAll<Item>(of: string, signal?: AbortSignal): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | null = null;
  do {
    const query: Record<string, string | number | undefined> = { limit: 200, ...(cursor !== null && { cursor }) };
    const page: T.Page<Item> = await request(of, { query, ...(signal && { signal }) });
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null && items.length < ITEMS_MAX);
  return items;
}

const ITEMS_MAX = 2_000;

const get = <Answer>(of: string, signal?: AbortSignal): Promise<Answer> => request<Answer>(of, signal ? { signal } : {});

const write = <Answer>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', of: string, body?: unknown, key?: string): Promise<Answer> =>
  request<Answer>(of, { method, ...(body !== undefined && { body }), ...(key && { idempotencyKey: key }) });

export const access = {
  session: () => get<T.Session>('/session'),
  signIn: (body: { email: string; password: string } | { login_token: string }) => write<T.Session>('POST', '/session', body),
  signOut: () => write<void>('DELETE', '/session'),
  setupNeeded: async () => (await get<{ setup_needed: boolean }>('/setup')).setup_needed,
  setUp: (body: { setup_token: string; name: string; email: string; password: string; time_zone: string }) =>
    write<T.Session>('POST', '/setup', body),
};

export interface IncidentFilter {
  status?: string;
  target?: string;
  cursor?: string;
  limit?: number;
}

export const incidents = {
  list: (filter: IncidentFilter, signal?: AbortSignal) =>
    request<T.Page<T.IncidentSummary>>('/incidents', { query: { ...filter }, ...(signal && { signal }) }),
  get: (id: string, signal?: AbortSignal) => get<T.IncidentDetail>(path('incidents', id), signal),
  timeline: (id: string, signal?: AbortSignal) => listAll<T.TimelineEntry>(path('incidents', id, 'timeline'), signal),
  acknowledge: (id: string, key: string) => write<T.IncidentSummary>('POST', path('incidents', id, 'acknowledge'), {}, key),
  resolve: (id: string, note: string, key: string) =>
    write<T.IncidentSummary>('POST', path('incidents', id, 'resolve'), note ? { note } : {}, key),
  note: (id: string, text: string, key: string) => write<T.TimelineEntry>('POST', path('incidents', id, 'notes'), { text }, key),
  snooze: (id: string, seconds: number, key: string) => write<T.IncidentSummary>('POST', path('incidents', id, 'snooze'), { seconds }, key),
  endSnooze: (id: string, key: string) => write<T.IncidentSummary>('DELETE', path('incidents', id, 'snooze'), undefined, key),
  reassign: (id: string, to: { people: string[] } | { policy_id: string }, key: string) =>
    write<T.IncidentSummary>('POST', path('incidents', id, 'reassign'), to, key),
  escalate: (id: string, key: string) => write<T.IncidentSummary>('POST', path('incidents', id, 'escalate'), {}, key),
  askForHelp: (id: string, body: { message: string; people: string[]; policy_id?: string }, key: string) =>
    write<T.IncidentSummary>('POST', path('incidents', id, 'responders'), body, key),
  answerRequest: (id: string, accept: boolean, key: string) =>
    write<T.IncidentSummary>('POST', path('incidents', id, 'responders', 'answer'), { accept }, key),
  merge: (into: string, sources: string[], key: string) => write<T.IncidentSummary>('POST', path('incidents', into, 'merge'), { sources }, key),
  setPriority: (id: string, priority: string | null, key: string) =>
    write<T.IncidentSummary>('PUT', path('incidents', id, 'priority'), { priority }, key),
  setUrgency: (id: string, urgency: T.Urgency, key: string) => write<T.IncidentSummary>('PUT', path('incidents', id, 'urgency'), { urgency }, key),
  bulk: async (action: 'acknowledge' | 'resolve', ids: string[], key: string) =>
    (await write<{ results: T.BulkResult[] }>('POST', '/incidents/bulk', { action, incidents: ids }, key)).results,
  explanation: (id: string, signal?: AbortSignal) => optional(get<T.Explanation>(path('incidents', id, 'explanation'), signal)),
  declare: (body: { title: string; service_id?: string; urgency?: T.Urgency }) =>
    write<T.IncidentSummary>('POST', '/incidents', body),
  postmortemText: (id: string) =>
    requestText(path('incidents', id, 'postmortem'), { query: { format: 'markdown', length: 'brief' } }),
  postmortemUrl: (id: string, format: 'markdown' | 'html' | 'svg' | 'json', length: 'brief' | 'full' = 'brief') =>
    `${API_BASE}${path('incidents', id, 'postmortem')}?format=${format}&length=${length}`,
  evidenceUrl: (id: string) => `${API_BASE}${path('incidents', id, 'evidence')}`,
};

export const users = {
  me: (signal?: AbortSignal) => get<T.User>('/me', signal),
  list: (signal?: AbortSignal) => list<T.User>('/users', signal),
  get: (id: string, signal?: AbortSignal) => get<T.User>(path('users', id), signal),
  setPassword: (id: string, body: { password: string; current_password?: string }) => write<void>('PUT', path('users', id, 'password'), body),
  add: (body: { name: string; email: string; role: T.Role }) => write<T.User>('POST', '/users', body),
  change: (id: string, body: { name?: string; role?: T.Role }) => write<T.User>('PATCH', path('users', id), body),
  remove: (id: string) => write<void>('DELETE', path('users', id)),
  addMethod: (id: string, body: { kind: T.ChannelKind; label: string; address: string; secret?: string }) =>
    write<T.ContactMethod & { webhook_secret?: string }>('POST', path('users', id, 'contact-methods'), body),
  removeMethod: (id: string, method: string) => write<void>('DELETE', path('users', id, 'contact-methods', method)),
  testMethod: (id: string, method: string) =>
    write<{ notification_id: string }>('POST', path('users', id, 'contact-methods', method, 'test'), {}),
  verifyMethod: (id: string, method: string, code: string) =>
    write<T.ContactMethod>('POST', path('users', id, 'contact-methods', method, 'verify'), { code }),
  setRules: (id: string, rules: T.RuleInput[]) => write<unknown>('PUT', path('users', id, 'notification-rules'), rules),
  notices: (id: string, signal?: AbortSignal) => optional(get<{ hand_off: boolean }>(path('users', id, 'notices'), signal)),
  setNotices: (id: string, handOff: boolean) => write<unknown>('PUT', path('users', id, 'notices'), { hand_off: handOff }),
  explanation: (id: string, signal?: AbortSignal) => optional(get<T.Explanation>(path('notifications', id, 'explanation'), signal)),
  notification: (id: string, signal?: AbortSignal) => get<T.Notification>(path('notifications', id), signal),
};

/** An answer of a route that this server may not have yet: null where it has none. */
async function optional<Answer>(answer: Promise<Answer>): Promise<Answer | null> {
  try {
    return await answer;
  } catch (cause) {
    if (cause instanceof ApiError && (cause.status === 404 || cause.status === 405)) return null;
    throw cause;
  }
}

export const oncall = {
  now: (signal?: AbortSignal) => get<T.OnCall>('/oncall', signal),
  findings: (signal?: AbortSignal) => optional(get<T.Findings>('/oncall/findings', signal)),
  shifts: (query: { user?: string; since: T.Instant; until: T.Instant }, signal?: AbortSignal) =>
    request<T.OwnShifts>('/oncall/shifts', { query, ...(signal && { signal }) }),
  policies: (signal?: AbortSignal) => list<T.EscalationPolicy>('/escalation-policies', signal),
  savePolicy: (id: string | null, body: T.PolicyInput) =>
    id
      ? write<T.EscalationPolicy>('PUT', path('escalation-policies', id), body)
      : write<T.EscalationPolicy>('POST', '/escalation-policies', body),
  removePolicy: (id: string) => write<void>('DELETE', path('escalation-policies', id)),
  simulate: (service: string, query: { at?: T.Instant; urgency?: T.Urgency }, signal?: AbortSignal) =>
    optional(request<T.Simulation>(path('services', service, 'simulation'), { query, ...(signal && { signal }) })),
};

export const fallback = {
  get: (signal?: AbortSignal) => get<T.Fallback>('/fallback', signal),
  save: (people: string[]) => write<T.Fallback>('PUT', '/fallback', { users: people }),
};

export const teams = {
  list: (signal?: AbortSignal) => list<T.Team>('/teams', signal),
  save: (id: string | null, body: T.TeamInput) => (id ? write<T.Team>('PUT', path('teams', id), body) : write<T.Team>('POST', '/teams', body)),
  remove: (id: string) => write<void>('DELETE', path('teams', id)),
};

export const priorities = {
  list: async (signal?: AbortSignal) => (await get<{ names: string[] }>('/priorities', signal)).names,
  save: (names: string[]) => write<unknown>('PUT', '/priorities', { names }),
};

/** Rules about alerts: those of the installation, or with an id those of one service. */
const rulesOf = (service: string | null): string => (service === null ? '/alert-rules' : path('services', service, 'alert-rules'));

export const alertRules = {
  list: async (service: string | null, signal?: AbortSignal) => (await get<{ rules: T.AlertRule[] }>(rulesOf(service), signal)).rules,
  save: async (service: string | null, rules: T.AlertRuleInput[]) =>
    (await write<{ rules: T.AlertRule[] }>('PUT', rulesOf(service), { rules })).rules,
  tryOut: (alert: T.TrialAlert, signal?: AbortSignal) =>
    request<T.Trial>('/alert-rules/dry-run', { method: 'POST', body: alert, ...(signal && { signal }) }),
};

export const maintenance = {
  list: (signal?: AbortSignal) => list<T.MaintenanceWindow>('/maintenance-windows', signal),
  save: (id: string | null, body: T.WindowInput) =>
    id
      ? write<T.MaintenanceWindow>('PUT', path('maintenance-windows', id), body)
      : write<T.MaintenanceWindow>('POST', '/maintenance-windows', body),
  end: (id: string) => write<void>('POST', path('maintenance-windows', id, 'end')),
  remove: (id: string) => write<void>('DELETE', path('maintenance-windows', id)),
};

export const heartbeats = {
  list: (signal?: AbortSignal) => list<T.Heartbeat>('/heartbeats', signal),
  add: (body: T.HeartbeatInput) => write<T.Heartbeat & { url: string }>('POST', '/heartbeats', body),
  change: (id: string, body: T.HeartbeatInput) => write<T.Heartbeat>('PUT', path('heartbeats', id), body),
  remove: (id: string) => write<void>('DELETE', path('heartbeats', id)),
};

export const schedules = {
  list: (signal?: AbortSignal) => list<T.Schedule>('/schedules', signal),
  get: (id: string, signal?: AbortSignal) => get<T.Schedule>(path('schedules', id), signal),
  save: (id: string | null, body: T.ScheduleInput) =>
    id ? write<T.Schedule>('PUT', path('schedules', id), body) : write<T.Schedule>('POST', '/schedules', body),
  remove: (id: string) => write<void>('DELETE', path('schedules', id)),
  rendered: (id: string, query: { since: T.Instant; until: T.Instant }, signal?: AbortSignal) =>
    request<T.Rendered>(path('schedules', id, 'rendered'), { query, ...(signal && { signal }) }),
  preview: (body: Partial<T.ScheduleInput> & { schedule_id?: string; since: T.Instant; until: T.Instant }, signal?: AbortSignal) =>
    request<T.Preview>('/schedules/preview', { method: 'POST', body, ...(signal && { signal }) }),
  addOverride: (id: string, body: T.OverrideInput) => write<T.Override>('POST', path('schedules', id, 'overrides'), body),
  removeOverride: (id: string, override: string) => write<void>('DELETE', path('schedules', id, 'overrides', override)),
  addTemporary: (id: string, body: T.TemporaryInput) => write<T.Temporary>('POST', path('schedules', id, 'temporary'), body),
  removeTemporary: (id: string, temporary: string) => write<void>('DELETE', path('schedules', id, 'temporary', temporary)),
  offerSwap: (id: string, body: T.SwapInput) => write<T.Swap>('POST', path('schedules', id, 'swaps'), body),
  answerSwap: (id: string, swap: string, answer: 'accept' | 'decline' | 'withdraw') =>
    write<T.Schedule>('POST', path('schedules', id, 'swaps', swap, answer), {}),
};

export const calendars = {
  list: (user: string, signal?: AbortSignal) => optional(list<T.CalendarLink>(path('users', user, 'calendars'), signal)),
  make: (user: string, body: { schedule_id?: string; only_own?: boolean }) =>
    write<T.CalendarLink & { url: string }>('POST', path('users', user, 'calendars'), body),
  renew: (user: string, id: string) => write<T.CalendarLink & { url: string }>('POST', path('users', user, 'calendars', id, 'renew'), {}),
  revoke: (user: string, id: string) => write<void>('DELETE', path('users', user, 'calendars', id)),
};

export const services = {
  list: (signal?: AbortSignal) => list<T.Service>('/services', signal),
  save: (id: string | null, body: { name: string; escalation_policy_id: string | null }) =>
    id ? write<T.Service>('PUT', path('services', id), body) : write<T.Service>('POST', '/services', body),
  intake: (id: string, signal?: AbortSignal) => get<T.Intake>(path('services', id, 'intake'), signal),
  saveIntake: (id: string, body: T.Intake) => write<T.Intake>('PUT', path('services', id, 'intake'), body),
  integration: (id: string, integration: string, signal?: AbortSignal) => get<T.IntegrationDetail>(path('services', id, 'integrations', integration), signal),
  addIntegration: (id: string, body: T.IntegrationInput) => write<T.MadeIntegration>('POST', path('services', id, 'integrations'), body),
  changeIntegration: (id: string, integration: string, body: T.IntegrationChange) =>
    write<T.IntegrationDetail>('PUT', path('services', id, 'integrations', integration), body),
  removeIntegration: (id: string, integration: string) => write<void>('DELETE', path('services', id, 'integrations', integration)),
};

/** Mappings: those that Tocsin brings, and what one makes of a sample. */
export const mappings = {
  presets: async (signal?: AbortSignal) => (await get<{ presets: T.Preset[] }>('/intake/presets', signal)).presets,
  tryOut: (sample: T.SampleInput) => write<T.MappedSample>('POST', '/intake/dry-run', sample),
};

export const targets = {
  list: (signal?: AbortSignal) => list<T.Target>('/targets', signal),
  mute: (id: string, minutes: number, reason: string) =>
    write<unknown>('POST', path('targets', id, 'mute'), { minutes, ...(reason && { reason }) }),
  unmute: (id: string) => write<void>('DELETE', path('targets', id, 'mute')),
  addMaintenance: (id: string, body: { from: T.Instant; until: T.Instant; reason: string }) =>
    write<unknown>('POST', path('targets', id, 'maintenance'), body),
  removeMaintenance: (id: string, window: string) => write<void>('DELETE', path('targets', id, 'maintenance', window)),
  stopWatching: (id: string) => write<void>('DELETE', path('targets', id)),
};

export const monitors = {
  list: (signal?: AbortSignal) => list<T.Monitor>('/monitors', signal),
  setEnabled: (id: string, enabled: boolean) => write<T.Monitor>('PATCH', path('monitors', id), { enabled }),
};

export const rules = {
  list: (signal?: AbortSignal) => get<T.RuleList>('/rules', signal),
};

export const settings = {
  channels: (signal?: AbortSignal) => get<T.Channels>('/channels', signal),
  saveAccount: (provider: T.ProviderName, body: T.AccountInput, place = 1) => write<T.ProviderAccount>('PUT', path('channels', 'accounts', provider, ...further(place)), body),
  removeAccount: (provider: T.ProviderName, place = 1) => write<void>('DELETE', path('channels', 'accounts', provider, ...further(place))),
  saveMail: (body: T.MailInput, place = 1) => write<unknown>('PUT', path('channels', 'email', ...further(place)), body),
  removeMail: (place: number) => write<void>('DELETE', path('channels', 'email', ...further(place))),
  testMail: () => write<{ notification_id: string }>('POST', '/channels/email/test', {}),
  tokens: (signal?: AbortSignal) => list<T.ApiToken>('/api-tokens', signal),
  addToken: (body: { name: string; role: T.Role; owner: T.TokenOwner; expires_at?: T.Instant }) =>
    write<T.ApiToken & { token: string }>('POST', '/api-tokens', body),
  revokeToken: (id: string) => write<void>('DELETE', path('api-tokens', id)),
  doctor: (signal?: AbortSignal) => get<T.Doctor>('/doctor', signal),
};

export const audit = {
  records: (query: { cursor?: string }, signal?: AbortSignal) =>
    request<T.Page<T.AuditRecord>>('/audit/records', { query: { ...query }, ...(signal && { signal }) }),
};

export const STREAM_URL = `${API_BASE}/stream`;
