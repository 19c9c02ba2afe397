// How the list of last resort stands: whether anybody on it would hear. Pure.
import type { Named, User } from '../../lib/api/index.ts';

export interface Standing {
  tone: '' | 'warn' | 'bad';
  words: string;
}

/** What is to be said about the list; null when there is nothing. Who is not known is taken for somebody who cannot be reached. */
export function standingOf(listed: Named[], people: Pick<User, 'id' | 'reachable'>[]): Standing | null {
  if (listed.length === 0) return { tone: 'bad', words: 'Nobody is on the list: every administrator would be paged in their place.' };
  const deaf = listed.filter((each) => !people.some((person) => person.id === each.id && person.reachable));
  if (deaf.length === listed.length) return { tone: 'bad', words: 'Nobody on the list can be reached: every administrator would be paged in their place, and failing that everybody.' };
  if (deaf.length > 0) return { tone: 'warn', words: `${deaf.map((each) => each.name).join(', ')} cannot be reached: no contact method is verified.` };
  if (listed.length === 1) return { tone: '', words: 'It is one person alone: whoever else shall hear when that person sleeps has to be added.' };
  return null;
}
