// Single keys and two-key sequences become calls. It must not know what they do; screens register while they are shown.
import { preferences } from './preferences.svelte.ts';

type Handler = () => void;

/** How long the second key of a sequence (`g i`) is waited for, in milliseconds. */
const SEQUENCE_MS_MAX = 1_200;

const bindings = new Map<string, Handler[]>();
let prefix = '';
let prefixAt = 0;

/** Registers keys (`j`, `g i`, `?`) and returns how to give them back; the latest registration of a key wins. */
export function bindKeys(keys: Record<string, Handler>): () => void {
  for (const [key, handler] of Object.entries(keys)) bindings.set(key, [...(bindings.get(key) ?? []), handler]);
  return () => {
    for (const [key, handler] of Object.entries(keys)) {
      bindings.set(key, (bindings.get(key) ?? []).filter((each) => each !== handler));
    }
  };
}

/** Whether a key pressed here belongs to what has the focus: a field, an open dialog. */
export function belongsToFocus(target: Element | null): boolean {
  if (!target) return false;
  if (target.closest('dialog[open], [contenteditable]')) return true;
  const field = target.closest('input, textarea, select');
  return field !== null && !['checkbox', 'radio', 'button'].includes((field as HTMLInputElement).type);
}

export function startKeyboard(): void {
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat && event.key !== 'j' && event.key !== 'k') return;
    if (!preferences.shortcuts || belongsToFocus(event.target as Element | null)) return;
    const handler = find(event.key);
    if (!handler) return;
    event.preventDefault();
    handler();
  });
}

function find(key: string): Handler | undefined {
  const sequence = prefix && Date.now() - prefixAt < SEQUENCE_MS_MAX ? `${prefix} ${key}` : key;
  prefix = '';
  const found = bindings.get(sequence)?.at(-1) ?? bindings.get(key)?.at(-1);
  if (!found && [...bindings.keys()].some((each) => each.startsWith(`${key} `))) {
    prefix = key;
    prefixAt = Date.now();
  }
  return found;
}
