// Every screen on a desk, in both colour schemes: light with every rule, then the same page in dark with the rules of colour. The
// other rules are run in dark on the phone (`accessibility-phone.e2e.mjs`): loading each screen a third time would find nothing new.
import { examineScreens } from './accessibility.mjs';

examineScreens({ look: 'light and dark', options: { colorScheme: 'light' }, recolor: 'dark' });
