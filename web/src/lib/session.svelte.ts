// Who is signed in and what their role allows; starts and ends the live stream with the session.
import { access, type Role, type Session } from './api/index.ts';
import { ApiError, setCsrfToken, whenSignedOut } from './api/client.ts';
import { live } from './live/live.svelte.ts';

export type AccessState = 'asking' | 'unreachable' | 'setup-needed' | 'signed-out' | 'signed-in';

const RANK: Record<Role, number> = { viewer: 0, responder: 1, admin: 2 };

class SessionState {
  state: AccessState = $state('asking');
  current: Session | null = $state.raw(null);
  problem: string | null = $state(null);

  constructor() {
    whenSignedOut(() => this.#leave());
  }

  get user(): Session['user'] | null {
    return this.current?.user ?? null;
  }

  /** Whether the person's role is at least `role`. The server decides; this only spares them a refusal. */
  may(role: Role): boolean {
    return this.user !== null && RANK[this.user.role] >= RANK[role];
  }

  async ask(): Promise<void> {
    try {
      this.enter(await access.session());
    } catch (cause) {
      await this.#unknown(cause);
    }
  }

  enter(session: Session): void {
    this.current = session;
    setCsrfToken(session.csrf_token);
    this.state = 'signed-in';
    this.problem = null;
    live.connect();
  }

  async signOut(): Promise<void> {
    await access.signOut();
    this.#leave();
  }

  async #unknown(cause: unknown): Promise<void> {
    const status = cause instanceof ApiError ? cause.status : 0;
    if (status !== 401 && status !== 403) {
      this.state = 'unreachable';
      this.problem = cause instanceof Error ? cause.message : String(cause);
      return;
    }
    const needed = await access.setupNeeded().catch(() => false);
    this.state = needed ? 'setup-needed' : 'signed-out';
  }

  #leave(): void {
    if (this.state !== 'signed-in') return;
    this.current = null;
    setCsrfToken(null);
    this.state = 'signed-out';
    live.close();
  }
}

export const session = new SessionState();
