// What a responder does to one incident: acknowledge, resolve, note. Each carries a key, so that a retry happens once.
import { Action } from '../../lib/action.svelte.ts';
import { incidents, type IncidentSummary } from '../../lib/api/index.ts';

/** A key that makes a repeated request harmless; works on plain http too, where randomUUID is missing. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export class Respond {
  readonly acknowledging = new Action();
  readonly resolving = new Action();
  readonly noting = new Action();
  #confirm: (summary: IncidentSummary | null) => void;

  /** `confirm` is told of every change the server confirmed. */
  constructor(confirm: (summary: IncidentSummary | null) => void) {
    this.#confirm = confirm;
  }

  acknowledge(id: string): Promise<boolean> {
    const key = newKey();
    return this.acknowledging.run(async () => this.#confirm(await incidents.acknowledge(id, key)));
  }

  resolve(id: string, note: string): Promise<boolean> {
    const key = newKey();
    return this.resolving.run(async () => this.#confirm(await incidents.resolve(id, note, key)));
  }

  note(id: string, text: string): Promise<boolean> {
    const key = newKey();
    return this.noting.run(async () => {
      await incidents.note(id, text, key);
      this.#confirm(null);
    });
  }
}
