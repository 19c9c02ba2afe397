// Every screen, examined by axe in the looks of one context: no violation, nothing too wide, nothing too small to touch. It names
// no look of its own: each `accessibility-*.e2e.mjs` does, with a stand-in and a browser to itself, so that they run side by side.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { LOGIN_TOKEN, startMock } from '../mock/server.mjs';
import { control, openBrowser, signIn } from './browser.mjs';
import { FIRST_IN_WORKER, SHIFT_MS } from './hour.mjs';
import { openScreen, SCREENS } from './screens.mjs';

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
/** The least height of what a finger has to hit, in CSS pixels; rounding may take half of one. */
const TOUCH_PX_MIN = 43.5;
/** The small build: half the bytes for the browser to be sent and to read on each screen. By `evaluate`, since the content policy lets no script in. */
const AXE = await readFile(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

/**
 * Registers a test of each screen. `options` make the context; it begins with every rule. `recolor`: another colour scheme, which
 * the same page changes to afterwards. Nothing but colours differs between the schemes, so only the rules of colour are run again.
 */
export function examineScreens({ look, options, touch = false, recolor }) {
  let base, stop, browser;
  before(async () => {
    ({ url: base, stop } = await startMock({ first: FIRST_IN_WORKER }));
    browser = await openBrowser({ ...options, shiftMs: SHIFT_MS, reducedMotion: 'reduce' });
  });
  after(async () => {
    await browser?.close();
    await stop?.();
  });

  for (const screen of SCREENS) {
    test(`${screen.name} in ${look}`, async () => {
      await control(base, 'reset');
      await screen.before?.(base);
      const page = await browser.context.newPage();
      if (screen.signedOut) await browser.context.clearCookies();
      else if ((await browser.context.cookies()).length === 0) await signIn(page, `${base}/ui/login?token=${LOGIN_TOKEN}`);
      await openScreen(page, base, screen);
      await page.evaluate(AXE);
      assert.deepEqual(await page.evaluate(violations, { tags: RULES }), []);
      assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0, 'it is too wide');
      if (touch) assert.deepEqual(await page.evaluate(smallTargets, TOUCH_PX_MIN), []);
      if (recolor) {
        await page.emulateMedia({ colorScheme: recolor });
        assert.deepEqual(await page.evaluate(violations, { tags: RULES, among: 'cat.color' }), [], `in ${recolor}`);
      }
      await page.close();
    });
  }

  test('nothing broke the content policy or threw', () => assert.deepEqual(browser.trouble, []));
}

/** Runs in the page: what breaks the rules with one of the tags, or those of them that carry the tag `among` as well. */
async function violations({ tags, among }) {
  const changing = document.getAnimations().filter((animation) => animation instanceof CSSTransition);
  await Promise.allSettled(changing.map((transition) => transition.finished));
  const rules = window.axe.getRules(tags).filter((rule) => !among || rule.tags.includes(among));
  const runOnly = among ? { type: 'rule', values: rules.map((rule) => rule.ruleId) } : tags;
  const found = await window.axe.run(document, { runOnly, resultTypes: ['violations'] });
  return found.violations.map((each) => `${each.id}: ${each.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 140)} (${node.any[0]?.message ?? ''})`).join(' | ')}`);
}

/** Runs in the page. Times explain themselves on touch but need not be touched; links within a sentence are exempt, and a box to tick is as large as its label. */
function smallTargets(least) {
  const wanted = 'button:not(:has(> time)), a.button, nav a, a.row, select, summary, input:not([type=checkbox], [type=radio])';
  return [...document.querySelectorAll(wanted)]
    .filter((element) => element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true }))
    .map((element) => ({ text: element.textContent.trim().slice(0, 30) || element.id, height: element.getBoundingClientRect().height }))
    .filter(({ height }) => height < least)
    .map(({ text, height }) => `${text}: ${Math.round(height)} px`);
}
