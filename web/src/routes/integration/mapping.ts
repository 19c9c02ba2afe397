// Mappings and samples as they are typed: read into what the server is asked, with words for what cannot be read. Pure.
import type { IntegrationKind, Mapping, SampleInput } from '../../lib/api/index.ts';

/** What a first mapping may look like; it reads the sample of a webhook. */
export const FIRST_MAPPING = `{
  "action": {"from": "{{ .state }}", "map": {"ok": "resolve"}, "default": "trigger"},
  "dedup_key": "{{ .host }}/{{ .check }}",
  "title": "{{ .check }} on {{ .host }}",
  "summary": "{{ .output }}",
  "severity": {"from": "{{ .state }}", "map": {"warning": "warning"}, "default": "critical"}
}`;

/** Something that a sender of the kind might send. */
export const SAMPLES: Record<IntegrationKind, string> = {
  events_v2: '',
  alertmanager: '',
  webhook: `{"host": "db1", "check": "disk", "state": "critical", "output": "97 % used"}`,
  grafana: `{
  "alerts": [{
    "status": "firing",
    "fingerprint": "c6eadffa33fcdf37",
    "labels": {"alertname": "Disk full", "severity": "warning", "host": "db1"},
    "annotations": {"summary": "The disk of db1 is full"}
  }]
}`,
  opsgenie: `{"message": "The disk of db1 is full", "alias": "disk-db1", "priority": "P2"}`,
  email: `From: storage@example.org\nSubject: PROBLEM: disk full\nMessage-ID: <1@example.org>\n\nThe disk of db1 is full since 10:00.`,
};

/** The mapping that is written; null where nothing is. Throws an error in words. */
export function mappingOf(written: string): Mapping | null {
  if (written.trim() === '') return null;
  const read = jsonOf(written, 'The mapping');
  if (typeof read !== 'object' || read === null || Array.isArray(read)) throw new Error('The mapping is no object: it begins with { and ends with }.');
  return read as Mapping;
}

/** A sample as it is sent: a mail is taken as it stands, anything else is JSON. Throws an error in words. */
export function sampleOf(kind: IntegrationKind, written: string): Pick<SampleInput, 'body' | 'mail'> {
  if (kind === 'email') return { mail: written.replaceAll(/\r?\n/g, '\r\n') };
  const body = jsonOf(written, 'The sample');
  if (body === null) throw new Error('The sample is empty.');
  return { body };
}

function jsonOf(written: string, what: string): unknown {
  try {
    return JSON.parse(written) as unknown;
  } catch (cause) {
    throw new Error(`${what} is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

const DOES: Record<string, string> = { trigger: 'raises an alert', acknowledge: 'acknowledges an alert', resolve: 'ends an alert' };

/** What a mapped alert would do, in words. */
export const doesWords = (action: string): string => DOES[action] ?? action;
