// One thing a person asked for that takes a moment: under way, done, or failed and repeatable.
import { ApiError } from './api/index.ts';

export class Action {
  pending = $state(false);
  error: ApiError | null = $state.raw(null);
  #again: (() => Promise<unknown>) | null = null;

  /** Runs `work` unless one is already under way. Returns whether it succeeded; the error is kept to be shown. */
  async run(work: () => Promise<unknown>): Promise<boolean> {
    if (this.pending) return false;
    this.#again = work;
    this.pending = true;
    this.error = null;
    try {
      await work();
      return true;
    } catch (cause) {
      this.error = cause instanceof ApiError ? cause : new ApiError(0, cause instanceof Error ? cause.message : String(cause));
      return false;
    } finally {
      this.pending = false;
    }
  }

  /** Repeats what failed, with the same idempotency key where it had one. */
  retry(): Promise<boolean> {
    return this.#again ? this.run(this.#again) : Promise.resolve(false);
  }

  dismiss(): void {
    this.error = null;
  }
}

/** For a form's `onsubmit`: keeps the page, then runs `work`. */
export function submitting(work: () => unknown): (event: SubmitEvent) => void {
  return (event) => {
    event.preventDefault();
    work();
  };
}
