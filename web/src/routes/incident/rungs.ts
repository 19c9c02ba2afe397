// The messages about an incident, put together as they are shown: the levels of the policy first. Pure.
import type { Named, Notification } from '../../lib/api/index.ts';

export interface Rung {
  title: string;
  pages: Notification[];
}

// Behind every level of a policy.
const GIVEN = 1_000;
const HELP = 1_001;
const LAST = 1_002;
const TITLES: Record<number, string> = { [GIVEN]: 'Whom it was given to', [HELP]: 'Asked to help', [LAST]: 'Last resort and notices' };

/** `given`: the people it was given to; a page to one of them that belongs to no level went out for that. */
export function rungsOf(pages: Notification[], given: Named[]): Rung[] {
  const shown = pages.filter((page) => page.purpose !== 'test');
  const place = (page: Notification): number => {
    if (page.purpose === 'request') return HELP;
    if (page.level !== null) return page.level;
    return page.purpose === 'page' && given.some((each) => each.id === page.user.id) ? GIVEN : LAST;
  };
  return [...new Set(shown.map(place))].sort((a, b) => a - b).map((at) => ({ title: TITLES[at] ?? `Level ${at}`, pages: shown.filter((page) => place(page) === at) }));
}
