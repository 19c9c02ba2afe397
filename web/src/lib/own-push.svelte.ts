// Whether pages still come to this browser, as far as it can know itself: looked at when the page is opened, and after each repair.
import { users } from './api/index.ts';
import { lost } from './push.ts';

class OwnPush {
  /** The way of whoever is signed in by which pages come to this browser no more. */
  ended: string | null = $state(null);

  async look(): Promise<void> {
    try {
      const name = await lost();
      // It may have been removed since, or be somebody else's.
      const own = name === null ? [] : (await users.me()).contact_methods;
      this.ended = own.some((each) => each.id === name) ? name : null;
    } catch {
      // Nothing is known then, so nothing is said: a push that comes back tells it too.
      this.ended = null;
    }
  }
}

export const ownPush = new OwnPush();
