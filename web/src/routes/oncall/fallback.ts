// How the list of last resort stands: whether anybody on it would hear. Pure.
import type { Named, User } from '../../lib/api/index.ts';

export interface Standing {
  tone: '' | 'warn' | 'bad';
  words: string;
}

/** What is to be said about the list; null when there is nothing. Who is not known is taken for somebody who cannot be reached. */
export function standingOf(listed: Named[], people: Pick<User, 'id' | 'reach_problem'>[]): Standing | null {
  if (listed.length === 0) return { tone: 'bad', words: 'Nobody is on the list: every administrator would be paged in their place.' };
  const deaf = listed.flatMap(({ id, name }) => {
    const known = people.find((person) => person.id === id);
    const problem = known ? known.reach_problem : 'cannot be reached';
    return problem === null ? [] : [`${name} ${problem}`];
  });
  const why = `${deaf.join('; ')}.`;
  if (deaf.length === listed.length) return { tone: 'bad', words: `Nobody on the list can be reached: ${why} Every administrator would be paged in their place, and failing that everybody.` };
  if (deaf.length > 0) return { tone: 'warn', words: why };
  if (listed.length === 1) return { tone: '', words: 'It is one person alone: whoever else shall hear when that person sleeps has to be added.' };
  return null;
}
