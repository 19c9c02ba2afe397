// Shows pushes as notifications and opens what they are about. It keeps nothing and serves nothing.
self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

self.addEventListener('push', (event) => {
  let message = {};
  try {
    message = event.data?.json() ?? {};
  } catch {
    // Something that is not ours: the browser demands that a push is shown all the same.
  }
  const text = (value) => (typeof value === 'string' ? value : '');
  const urgent = message.urgency === 'high';
  event.waitUntil(
    self.registration.showNotification(text(message.title) || 'Tocsin', {
      body: text(message.body),
      tag: text(message.tag) || undefined,
      renotify: text(message.tag) !== '',
      requireInteraction: urgent,
      icon: '/ui/bell.svg',
      data: { link: text(message.answer_link) || text(message.link) },
    }),
  );
});

// The browser has another subscription now, or none. That cannot be told to the server from here: it needs the session of a page, which may
// be over by now, and whoever owns the new address has to prove it by a code. So they are told, and the page subscribes anew: it knows
// whenever it is opened that this is not the subscription that was given to the server (`own-push.svelte.ts`).
self.addEventListener('pushsubscriptionchange', (event) => {
  const told = self.registration.showNotification('Pages do not come to this browser any more', {
    body: 'Open Tocsin here and subscribe this browser anew.',
    tag: 'tocsin-subscription',
    requireInteraction: true,
    icon: '/ui/bell.svg',
    data: { link: new URL('/ui/people/me', self.location.href).href },
  });
  // Without the permission nothing can be shown; the server hears of it by the next push.
  event.waitUntil(told.catch(() => undefined));
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const link = event.notification.data?.link;
  // Only the web is followed, whatever a message names.
  const to = /^https?:/.test(link) ? link : '/ui/';
  event.waitUntil(self.clients.openWindow(to));
});
