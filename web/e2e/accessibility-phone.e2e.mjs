// Every screen on a narrow phone, in dark, with every rule, and whether a finger hits what is to be hit.
import { examineScreens } from './accessibility.mjs';

const PHONE = { colorScheme: 'dark', viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true };

examineScreens({ look: 'dark on a phone', options: PHONE, touch: true });
