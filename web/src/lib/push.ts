// Pushes to this browser: asks for permission, subscribes, and knows later whether that still holds. It must not know to whom the
// subscription is given.

const WORKER = '/ui/sw.js';
const SCOPE = '/ui/';
/** What was given away last, and under which name. */
const GIVEN = 'tocsin.push';

/** Whether this browser could take pushes at all, here and now. */
export function pushPossible(): boolean {
  return isSecureContext && 'serviceWorker' in navigator && 'PushManager' in globalThis && 'Notification' in globalThis;
}

/** Subscribes this browser with the server's public key (base64url). Throws an error in words when that cannot be. */
export async function subscribe(publicKey: string): Promise<string> {
  if (!pushPossible()) throw new Error('This browser takes no pushes here: that needs HTTPS, and on an iPhone Tocsin on the home screen.');
  if ((await Notification.requestPermission()) !== 'granted') throw new Error('The browser did not allow notifications. Allow them for this page, then try again.');
  const registration = await navigator.serviceWorker.register(WORKER, { scope: SCOPE });
  await navigator.serviceWorker.ready;
  const before = await registration.pushManager.getSubscription();
  // One made with another key could never be sent to.
  await before?.unsubscribe();
  try {
    const made = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: publicKey });
    return JSON.stringify(made.toJSON());
  } catch (cause) {
    throw new Error(`The push service of this browser refused: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

/** Keeps for later under which name a subscription of this browser was given away. */
export function remember(name: string, subscription: string): void {
  try {
    const { endpoint } = JSON.parse(subscription) as { endpoint: string };
    localStorage.setItem(GIVEN, JSON.stringify({ name, endpoint }));
  } catch {
    // Storage may be blocked: then it is found out only when a push comes back.
  }
}

function given(): { name: string; endpoint: string } | null {
  try {
    const kept = JSON.parse(localStorage.getItem(GIVEN) ?? 'null') as { name?: unknown; endpoint?: unknown } | null;
    return typeof kept?.name === 'string' && typeof kept.endpoint === 'string' ? { name: kept.name, endpoint: kept.endpoint } : null;
  } catch {
    return null;
  }
}

/** The name under which a subscription was given away that this browser has no more, so that what is pushed to it is lost; else null. */
export async function lost(): Promise<string | null> {
  const kept = given();
  if (kept === null || !pushPossible()) return null;
  const registration = await navigator.serviceWorker.getRegistration(SCOPE);
  const now = await registration?.pushManager.getSubscription();
  return now?.endpoint === kept.endpoint ? null : kept.name;
}
