// What this browser remembers for its owner: theme and whether single-key shortcuts are on.

export type Theme = 'system' | 'light' | 'dark';

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Storage may be blocked: the choice lasts as long as the tab.
  }
}

function readTheme(): Theme {
  const stored = read('tocsin.theme');
  return stored === 'light' || stored === 'dark' ? stored : 'system';
}

class Preferences {
  theme: Theme = $state(readTheme());
  shortcuts: boolean = $state(read('tocsin.shortcuts') !== 'off');

  setTheme(theme: Theme): void {
    this.theme = theme;
    write('tocsin.theme', theme);
    if (theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
  }

  setShortcuts(on: boolean): void {
    this.shortcuts = on;
    write('tocsin.shortcuts', on ? 'on' : 'off');
  }
}

export const preferences = new Preferences();
