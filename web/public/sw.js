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

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const link = event.notification.data?.link;
  // Only the web is followed, whatever a message names.
  const to = /^https?:/.test(link) ? link : '/ui/';
  event.waitUntil(self.clients.openWindow(to));
});
