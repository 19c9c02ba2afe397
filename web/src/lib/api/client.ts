// One HTTP request to the native API: session cookie, CSRF header, deadline, problem details. It knows no noun and no screen.
export const API_BASE = '/api/tocsin/v1';
/** How long one request may take before it counts as unanswered, in milliseconds. */
export const REQUEST_MS_MAX = 10_000;

export interface RequestOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  body?: unknown;
  query?: Record<string, string | number | undefined>;
  signal?: AbortSignal;
  /** The same key on a repeated request lets the server carry it out only once. */
  idempotencyKey?: string;
}

/** A request that did not succeed, in words a person can act on. */
export class ApiError extends Error {
  override name = 'ApiError';
  constructor(
    /** The HTTP status; 0 when no answer came. */
    readonly status: number,
    message: string,
    readonly reasons: string[] = [],
  ) {
    super(message);
  }
}

let csrfToken: string | null = null;
let clockOffsetMs = 0;
let onSignedOut: () => void = () => {};

export function setCsrfToken(token: string | null): void {
  csrfToken = token;
}

/** Called when the server no longer knows this session. */
export function whenSignedOut(call: () => void): void {
  onSignedOut = call;
}

/** How far the server's clock is ahead of this one, in milliseconds; 0 within the precision of the Date header. */
export function serverClockOffsetMs(): number {
  return clockOffsetMs;
}

/** Sends one request and returns its JSON answer (undefined for 204). Throws `ApiError`, or AbortError when `signal` aborted. */
export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const answer = await send(path, options);
  if (answer.status === 204) return undefined as T;
  const text = await answer.text();
  if (text === '') return undefined as T;
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new ApiError(answer.status, 'The answer could not be read. Something between you and Tocsin may have changed it.');
  }
}

/** Sends one request whose answer is text, for example Markdown. */
export async function requestText(path: string, options: RequestOptions = {}): Promise<string> {
  return (await send(path, options)).text();
}

async function send(path: string, options: RequestOptions): Promise<Response> {
  const deadline = AbortSignal.timeout(REQUEST_MS_MAX);
  const signal = options.signal ? AbortSignal.any([options.signal, deadline]) : deadline;
  let answer: Response;
  try {
    answer = await fetch(API_BASE + path + queryString(options.query), {
      method: options.method ?? 'GET',
      headers: headersOf(options),
      body: options.body === undefined ? null : JSON.stringify(options.body),
      signal,
      credentials: 'same-origin',
      cache: 'no-store',
    });
  } catch (cause) {
    if (options.signal?.aborted) throw cause;
    throw deadline.aborted
      ? new ApiError(0, `Tocsin did not answer within ${REQUEST_MS_MAX / 1000} seconds.`)
      : new ApiError(0, 'Tocsin cannot be reached from this browser.');
  }
  measureClock(answer);
  if (!answer.ok) throw await refusal(answer, path);
  return answer;
}

function headersOf(options: RequestOptions): Record<string, string> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (options.body !== undefined) headers['Content-Type'] = 'application/json';
  if (options.method && options.method !== 'GET' && csrfToken) headers['X-CSRF-Token'] = csrfToken;
  if (options.idempotencyKey) headers['Idempotency-Key'] = options.idempotencyKey;
  return headers;
}

function queryString(query: RequestOptions['query']): string {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== '') parts.set(name, String(value));
  }
  const text = parts.toString();
  return text === '' ? '' : `?${text}`;
}

async function refusal(answer: Response, path: string): Promise<ApiError> {
  let problem: { title?: unknown; detail?: unknown; errors?: unknown } = {};
  try {
    problem = (await answer.json()) as typeof problem;
  } catch {
    // Not a problem document: the status alone has to do.
  }
  if (answer.status === 401 && !path.startsWith('/session') && !path.startsWith('/setup')) onSignedOut();
  const words = [problem.detail, problem.title].find((text) => typeof text === 'string' && text !== '');
  const reasons = Array.isArray(problem.errors) ? problem.errors.filter((reason) => typeof reason === 'string') : [];
  return new ApiError(answer.status, (words as string | undefined) ?? wordsFor(answer.status), reasons);
}

function wordsFor(status: number): string {
  if (status === 401) return 'You are signed out.';
  if (status === 403) return 'Your role does not allow this.';
  if (status === 404) return 'This does not exist, or no longer does.';
  if (status === 409) return 'This is no longer possible: something changed meanwhile.';
  if (status === 429) return 'Too many tries. Wait a minute, then try again.';
  if (status >= 500) return `Tocsin answered with an error (${status}).`;
  return `Tocsin refused this (${status}).`;
}

function measureClock(answer: Response): void {
  const date = Date.parse(answer.headers.get('Date') ?? '');
  if (Number.isNaN(date)) return;
  // The header has whole seconds and the answer took its time: only a clear difference counts.
  const offset = date + 500 - Date.now();
  clockOffsetMs = Math.abs(offset) > 2_500 ? offset : 0;
}
