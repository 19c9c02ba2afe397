// Which screen the address names, and how to move between screens; it must not know what a screen shows.

import { untrack } from 'svelte';

export const BASE = '/ui';

export interface Route {
  /** The pattern that matched, for example `/incidents/:id`; `null` when nothing did. */
  name: string | null;
  params: Record<string, string>;
  query: URLSearchParams;
  path: string;
}

/** Finds the first of `patterns` (`/incidents/:id`) that fits the whole path. */
export function match(patterns: readonly string[], path: string): { name: string; params: Record<string, string> } | null {
  const parts = split(path);
  for (const name of patterns) {
    const params = matchOne(split(name), parts);
    if (params) return { name, params };
  }
  return null;
}

function matchOne(pattern: string[], parts: string[]): Record<string, string> | null {
  if (pattern.length !== parts.length) return null;
  const params: Record<string, string> = {};
  for (const [index, expected] of pattern.entries()) {
    const part = parts[index] ?? '';
    if (expected.startsWith(':')) params[expected.slice(1)] = part;
    else if (expected !== part) return null;
  }
  return params;
}

function split(path: string): string[] {
  return path.split('/').filter((part) => part !== '').map(decode);
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** A place inside this application to go to after signing in; anything else becomes the start page. */
export function safeNext(next: string | null): string {
  if (!next || !next.startsWith('/') || next.startsWith('//') || next.includes('\\')) return '/';
  return next;
}

class Router {
  #patterns: readonly string[] = [];
  route: Route = $state.raw({ name: null, params: {}, query: new URLSearchParams(), path: '/' });

  start(patterns: readonly string[]): void {
    this.#patterns = patterns;
    this.#read();
    addEventListener('popstate', () => this.#read());
    document.addEventListener('click', (event) => this.#follow(event));
  }

  /** Goes to a path below the base, for example `/incidents?status=open`. */
  go(to: string, how: { replace?: boolean } = {}): void {
    const before = untrack(() => this.route.path);
    history[how.replace ? 'replaceState' : 'pushState'](null, '', BASE + to);
    this.#read();
    if (this.route.path !== before) scrollTo(0, 0);
  }

  #read(): void {
    const path = location.pathname.startsWith(BASE) ? location.pathname.slice(BASE.length) || '/' : '/';
    const found = match(this.#patterns, path);
    this.route = {
      name: found?.name ?? null,
      params: found?.params ?? {},
      query: new URLSearchParams(location.search),
      path,
    };
  }

  #follow(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest?.('a');
    if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
    if (link.pathname !== BASE && !link.pathname.startsWith(`${BASE}/`)) return;
    if (link.hash && link.pathname === location.pathname) return;
    event.preventDefault();
    this.go(link.pathname.slice(BASE.length) + link.search || '/');
  }
}

export const router = new Router();
