// Many calls in a burst become a first one at once and a last one after it.

/** Runs `call` at once, then at most once per `intervalMs`; calls in between become one at the end. Returns a canceller too. */
export function coalesce(call: () => void, intervalMs: number): { (): void; cancel(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let again = false;
  const run = (): void => {
    again = false;
    timer = setTimeout(() => {
      timer = undefined;
      if (again) run();
    }, intervalMs);
    call();
  };
  const request = (): void => {
    if (timer === undefined) run();
    else again = true;
  };
  request.cancel = (): void => {
    clearTimeout(timer);
    timer = undefined;
    again = false;
  };
  return request;
}
