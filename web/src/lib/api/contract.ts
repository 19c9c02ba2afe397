// The compiler's proof that what the server's description (openapi.json) promises is what the screens expect. It holds no
// code that runs: a schema that drifts from a type makes `npm run check` fail here, by name.
import type { components } from './schema';
import type * as screen from './types';

type Server = components['schemas'];
type Fits<Given extends Wanted, Wanted> = Given;
// The server always writes a field, as null when there is no value; its description calls such a field optional.
type Written<T> = T extends (infer Item)[]
  ? Written<Item>[]
  : T extends [unknown, ...unknown[]]
    ? T
    : T extends object
      ? { [Key in keyof T]-?: Written<Exclude<T[Key], undefined>> }
      : T;

export type Contract = [
  Fits<Written<Server['Session']>, screen.Session>,
  Fits<Written<Server['IncidentSummary']>, screen.IncidentSummary>,
  // A point of the chart is a pair; the description can only call it a list.
  Fits<Written<Omit<Server['IncidentDetail'], 'chart'>>, Omit<screen.IncidentDetail, 'chart'>>,
  Fits<Written<Server['Notification']>, screen.Notification>,
  Fits<Written<Server['TimelineEntry']>, screen.TimelineEntry>,
  Fits<Written<Server['ContactMethod']>, screen.ContactMethod>,
  Fits<Written<Server['User']>, screen.User>,
  Fits<Written<Server['OnCall']>, screen.OnCall>,
  Fits<Written<Server['OwnShifts']>, screen.OwnShifts>,
  Fits<Written<Server['Findings']>, screen.Findings>,
  Fits<Written<Server['Calendar']>, screen.CalendarLink>,
  Fits<Written<Server['Changed']>, screen.RotaChange>,
  Fits<Written<Server['Schedule']>, screen.Schedule>,
  Fits<Written<Server['Rendered']>, screen.Rendered>,
  Fits<Written<Server['Override']>, screen.Override>,
  Fits<Written<Server['Temporary']>, screen.Temporary>,
  Fits<Written<Server['Swap']>, screen.Swap>,
  Fits<Written<Server['EscalationPolicy']>, screen.EscalationPolicy>,
  Fits<Written<Server['Service']>, screen.Service>,
  Fits<Written<Server['MadeIntegration']>, screen.MadeIntegration>,
  Fits<Written<Server['IntegrationDetail']>, screen.IntegrationDetail>,
  Fits<Written<Server['MappingDryRun']>, screen.MappedSample>,
  Fits<Written<Server['ShownPreset']>, screen.Preset>,
  Fits<Written<Server['Fallback']>, screen.Fallback>,
  Fits<Written<Server['Target']>, screen.Target>,
  Fits<Written<Server['Monitor']>, screen.Monitor>,
  Fits<Written<Server['RuleList']>, screen.RuleList>,
  Fits<Written<Server['ApiToken']>, screen.ApiToken>,
  Fits<Written<Server['AuditRecord']>, screen.AuditRecord>,
  Fits<Written<Server['EmailChannel']>, screen.EmailChannel>,
  Fits<Written<Server['ProviderAccount']>, screen.ProviderAccount>,
  Fits<Written<Server['Diagnosis']>, screen.Doctor>,
  Fits<Written<Server['Team']>, screen.Team>,
  Fits<Written<Server['BulkResult']>, screen.BulkResult>,
  Fits<Written<Server['DryRun']>, screen.Trial>,
  Fits<Written<Server['MaintenanceWindow']>, screen.MaintenanceWindow>,
  Fits<Written<Server['HeartbeatShape']>, screen.Heartbeat>,
  Fits<Written<Server['RuleHit']>, screen.RuleHit>,
  Fits<screen.TeamInput, Server['TeamRequest']>,
  // A condition stands in conditions, and further fields are named by their sender: the description can write neither.
  Fits<Omit<screen.AlertRuleInput, 'when'>, Omit<Server['AlertRuleRequest'], 'when'>>,
  Fits<Omit<screen.TrialAlert, 'details'>, Omit<Server['DryRunRequest'], 'details'>>,
  Fits<screen.Intake, Server['IntakeSettings']>,
  Fits<screen.WindowInput, Server['WindowRequest']>,
  // A mapping and a sample are JSON: the description can only call them objects.
  Fits<Omit<screen.IntegrationInput, 'mapping'>, Omit<Server['IntegrationRequest'], 'mapping'>>,
  Fits<Omit<screen.IntegrationChange, 'mapping'>, Omit<Server['IntegrationChange'], 'mapping'>>,
  Fits<Omit<screen.SampleInput, 'body' | 'mapping'>, Omit<Server['MappingDryRunRequest'], 'body' | 'mapping'>>,
  Fits<screen.HeartbeatInput, Server['HeartbeatRequest']>,
  Fits<screen.ScheduleInput, Server['ScheduleRequest']>,
  Fits<screen.OverrideInput, Server['OverrideRequest']>,
  Fits<screen.TemporaryInput, Server['TemporaryRequest']>,
  Fits<screen.SwapInput, Server['SwapRequest']>,
  Fits<screen.PolicyInput, Server['PolicyRequest']>,
  Fits<screen.RuleInput, Server['RuleRequest']>,
  Fits<screen.MailInput, Server['MailRequest']>,
  Fits<screen.AccountInput, Server['AccountRequest']>,
];
