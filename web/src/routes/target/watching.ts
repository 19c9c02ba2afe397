// Why this machine itself is not watched, as the doctor tells it. Pure.
import type { Doctor } from '../../lib/api/index.ts';
import { sentence } from '../../lib/words.ts';

/** How the doctor calls what it tells about watching, and that somebody switched it off, which is no fault. */
const CHECK = 'watch';
const OFF = 'watch off';

/** What keeps servers from being found and what to do about it, each in sentences; nothing while they are looked for. */
export function hindrances(doctor: Doctor): string[] {
  return doctor.checks.filter((each) => each.name === OFF || (each.name === CHECK && each.state !== 'ok')).map((each) => [each.detail, each.fix].flatMap((words) => (words ? [sentence(words)] : [])).join(' '));
}
