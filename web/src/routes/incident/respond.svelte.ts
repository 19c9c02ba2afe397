// What a responder does to one incident. Each deed carries a key, so that a retry happens once; some can be undone.
import { Action } from '../../lib/action.svelte.ts';
import { incidents, type IncidentSummary } from '../../lib/api/index.ts';

/** A key that makes a repeated request harmless; works on plain http too, where randomUUID is missing. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** One request about an incident, under a key. */
export type Deed = (key: string) => Promise<IncidentSummary>;

/** What was done, in words, and how to take it back where that can be. */
export interface Done {
  words: string;
  undo: Deed | null;
}

export class Respond {
  readonly acknowledging = new Action();
  readonly resolving = new Action();
  readonly noting = new Action();
  /** Everything else: one thing at a time. */
  readonly acting = new Action();
  done: Done | null = $state.raw(null);
  #confirm: (summary: IncidentSummary | null) => void;

  /** `confirm` is told of every change the server confirmed. */
  constructor(confirm: (summary: IncidentSummary | null) => void) {
    this.#confirm = confirm;
  }

  acknowledge(id: string): Promise<boolean> {
    const key = newKey();
    this.done = null;
    return this.acknowledging.run(async () => this.#confirm(await incidents.acknowledge(id, key)));
  }

  resolve(id: string, note: string): Promise<boolean> {
    const key = newKey();
    this.done = null;
    return this.resolving.run(async () => this.#confirm(await incidents.resolve(id, note, key)));
  }

  note(id: string, text: string): Promise<boolean> {
    const key = newKey();
    return this.noting.run(async () => {
      await incidents.note(id, text, key);
      this.#confirm(null);
    });
  }

  /** Does something and remembers what it was. */
  act(deed: Deed, words: string, undo: Deed | null = null): Promise<boolean> {
    const key = newKey();
    this.done = null;
    return this.acting.run(async () => {
      this.#confirm(await deed(key));
      this.done = { words, undo };
    });
  }

  /** Takes back what was done last. */
  async undo(): Promise<void> {
    const { done } = this;
    if (done?.undo) await this.act(done.undo, 'Taken back.');
  }
}
