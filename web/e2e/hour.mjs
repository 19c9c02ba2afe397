// The time of day of the tests. What a screen says depends on the hour (an end after midnight names its day), so that a test is
// repeatable only at a known one: imported first, this moves the clock of the stand-in's process, and `openBrowser` that of its
// pages. The clock still runs. $TOCSIN_E2E_AT is another instant to test at, for whoever looks for what midnight or a clock change
// breaks.
import { shiftClock } from './browser.mjs';

/** A Wednesday, in the afternoon of Berlin. */
const AT = process.env.TOCSIN_E2E_AT ?? '2026-11-25T13:07:30Z';

/** How far the clock of the tests is ahead of this computer's, in milliseconds. */
export const SHIFT_MS = Date.parse(AT) - Date.now();
if (Number.isNaN(SHIFT_MS)) throw new Error(`$TOCSIN_E2E_AT is no instant: ${AT}`);
shiftClock(SHIFT_MS);

/** The same for a shared worker, which no init script reaches: the stand-in puts it first. */
export const FIRST_IN_WORKER = `(${shiftClock})(${SHIFT_MS});`;
