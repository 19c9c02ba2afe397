// Which screen an address shows. Each is loaded when it is first needed.

type Load = () => Promise<{ default: unknown }>;

const settings: Load = () => import('./routes/settings/Settings.svelte');

export const SCREENS: Record<string, Load> = {
  '/': () => import('./routes/incident/IncidentList.svelte'),
  '/incidents': () => import('./routes/incident/IncidentList.svelte'),
  '/incidents/:id': () => import('./routes/incident/IncidentPage.svelte'),
  '/targets': () => import('./routes/target/TargetList.svelte'),
  '/targets/heartbeats': () => import('./routes/heartbeat/HeartbeatList.svelte'),
  '/targets/maintenance': () => import('./routes/maintenance/WindowList.svelte'),
  '/oncall': () => import('./routes/oncall/OnCall.svelte'),
  '/oncall/schedules/:id': () => import('./routes/oncall/SchedulePage.svelte'),
  '/oncall/policies/:id': () => import('./routes/oncall/PolicyPage.svelte'),
  '/people': () => import('./routes/people/People.svelte'),
  // Before the page of one person, whose address would fit it too.
  '/people/teams': () => import('./routes/team/TeamList.svelte'),
  '/people/:id': () => import('./routes/people/Person.svelte'),
  '/settings': settings,
  '/settings/doctor': settings,
  '/settings/mail': settings,
  '/settings/providers': settings,
  '/settings/services': settings,
  '/settings/services/:id': () => import('./routes/service/ServicePage.svelte'),
  '/settings/last-resort': settings,
  '/settings/alert-rules': settings,
  '/settings/priorities': settings,
  '/settings/monitors': settings,
  '/settings/rules': settings,
  '/settings/tokens': settings,
  '/settings/audit': settings,
  '/welcome': () => import('./routes/access/Welcome.svelte'),
  '/login': () => import('./routes/access/Login.svelte'),
  '/setup': () => import('./routes/access/Setup.svelte'),
};

/** Screens that need no session. */
export const OPEN_TO_ALL: ReadonlySet<string> = new Set(['/login', '/setup']);
