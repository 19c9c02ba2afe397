// Pushes to this browser: asks for permission and subscribes. It must not know to whom the subscription is given.

const WORKER = '/ui/sw.js';

/** Whether this browser could take pushes at all, here and now. */
export function pushPossible(): boolean {
  return isSecureContext && 'serviceWorker' in navigator && 'PushManager' in globalThis && 'Notification' in globalThis;
}

/** Subscribes this browser with the server's public key (base64url). Throws an error in words when that cannot be. */
export async function subscribe(publicKey: string): Promise<string> {
  if (!pushPossible()) throw new Error('This browser takes no pushes here: that needs HTTPS, and on an iPhone Tocsin on the home screen.');
  if ((await Notification.requestPermission()) !== 'granted') throw new Error('The browser did not allow notifications. Allow them for this page, then try again.');
  const registration = await navigator.serviceWorker.register(WORKER, { scope: '/ui/' });
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
