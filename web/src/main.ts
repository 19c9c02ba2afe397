// Starts the application.
import { mount } from 'svelte';
import './styles/tokens.css';
import './styles/base.css';
import './styles/parts.css';
import App from './App.svelte';
import { startKeyboard } from './lib/keyboard.ts';
import { router } from './lib/router.svelte.ts';
import { session } from './lib/session.svelte.ts';
import { SCREENS } from './screens.ts';

router.start(Object.keys(SCREENS));
startKeyboard();
void session.ask();

const place = document.getElementById('app');
if (!place) throw new Error('index.html has no element #app.');
mount(App, { target: place });
