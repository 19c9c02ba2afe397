// The shared worker: owns the browser's one connection to the live stream and hands its messages to every tab.
import { LiveConnection, type LiveMessage } from './connection.ts';

/** What a tab may say to the worker. */
export type TabMessage = { type: 'connect'; url: string } | { type: 'ping' } | { type: 'leave' } | { type: 'close' };

const tabs = new Set<MessagePort>();
let connection: LiveConnection | null = null;

function tell(message: LiveMessage): void {
  for (const tab of tabs) tab.postMessage(message);
}

function hear(tab: MessagePort, message: TabMessage): void {
  switch (message.type) {
    case 'connect':
      tabs.add(tab);
      connection ??= new LiveConnection(message.url, tell);
      tab.postMessage(connection.last);
      connection.connect();
      return;
    case 'ping':
      // A tab that asks is there, also when it said goodbye and came back.
      tabs.add(tab);
      if (connection) tab.postMessage(connection.last);
      return;
    case 'leave':
      tabs.delete(tab);
      return;
    case 'close':
      connection?.close('signed-out');
      return;
  }
}

addEventListener('connect', (event) => {
  const tab = (event as MessageEvent).ports[0];
  if (!tab) return;
  tabs.add(tab);
  tab.onmessage = (said: MessageEvent<TabMessage>) => hear(tab, said.data);
});
