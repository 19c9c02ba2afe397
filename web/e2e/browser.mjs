// Starts a browser for one test run: Debian's Chromium, a new empty profile, and a watch on everything that must not happen.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

/** One browser with one profile; `close` removes both. `shiftMs`: how far its pages' clocks are ahead of this computer's. */
export async function openBrowser({ shiftMs = 0, ...options } = {}) {
  const profile = await mkdtemp(join(tmpdir(), 'tocsin-e2e-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: FLAGS,
    locale: 'en-US',
    timezoneId: 'Europe/Berlin',
    viewport: { width: 1280, height: 800 },
    ...options,
  });
  context.setDefaultTimeout(30_000);
  if (shiftMs !== 0) await context.addInitScript(shiftClock, shiftMs);
  const trouble = [];
  context.on('page', (page) => watch(page, trouble));
  for (const page of context.pages()) watch(page, trouble);
  const close = async () => {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  };
  return { context, trouble, close };
}

/** Moves the clock of whoever runs this, a process or a page: it uses nothing from outside, so that it can be sent into a page. */
export function shiftClock(shiftMs) {
  const Real = Date;
  globalThis.Date = class Date extends Real {
    constructor(...given) {
      if (given.length === 0) super(Real.now() + shiftMs);
      else super(...given);
    }
    static now() {
      return Real.now() + shiftMs;
    }
  };
}

/** Collects what a page must not do: break its content policy, throw, or be struck by a hostile string. */
function watch(page, trouble) {
  page.on('pageerror', (error) => trouble.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (/content security policy|refused to/i.test(message.text())) trouble.push(`policy: ${message.text()}`);
  });
  page.on('dialog', (dialog) => {
    trouble.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
}

/** Signs in by a one-time link, as a person would: opens it and presses the button. */
export async function signIn(page, url) {
  await page.goto(url);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.waitForURL((at) => !at.pathname.includes('/login'));
}

/**
 * A new world for a test, with nothing of the test before left: a page that is still open asks again for what it shows, and might take
 * a refusal, or be counted, in place of what is meant.
 */
export async function afresh(page, base) {
  await page.goto('about:blank');
  await streamsAre(base, 0);
  await control(base, 'reset');
}

/** Waits until so many live streams are open. What happens after that reaches the page; what happens before may not. */
export async function streamsAre(base, count) {
  for (let tries = 0; (await control(base, 'state')).streams !== count; tries += 1) {
    if (tries > 1_000) throw new Error(`there are never ${count} streams`);
    await new Promise((go) => setTimeout(go, 20));
  }
}

/** Ends what is refused, then presses `button`: it may be gone by then, since a screen also asks again by itself. */
export async function tryAgain(base, button) {
  const found = await button.elementHandle();
  await control(base, 'switch', { fail: null });
  await found.evaluate((each) => each.click());
}

/** Waits until nothing is there any more. */
export const gone = (locator) => locator.first().waitFor({ state: 'detached' });

export async function control(base, path, body = {}) {
  const answer = await fetch(`${base}/__mock/${path}`, { method: 'POST', body: JSON.stringify(body) });
  return answer.json();
}
