import { readFileSync } from 'node:fs';

/** Milliseconds between looks: a harness that restarts a node waits about as long for the old one to go. */
const lookMs = 200;

/**
 * Calls back, once, when whoever started this process has gone without ending it. `npx` starts a shell that starts
 * the program: when it is killed, neither of the two hears of it, so there it is the shell's parent that counts.
 * Where there is no `/proc`, only the parent is watched. Keeps no process alive.
 */
export function onOrphaned(onGone: () => void): void {
  const first = ancestors();
  const timer = setInterval(() => {
    if (ancestors() === first) return;
    clearInterval(timer);
    onGone();
  }, lookMs);
  timer.unref();
}

function ancestors(): string {
  const { ppid, env } = process;
  return env['npm_command'] === undefined ? `${ppid}` : `${ppid} ${parentOf(ppid)}`;
}

/** The parent of a process. Its name stands in brackets before it, and may have spaces and brackets itself. */
function parentOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
  } catch {
    return undefined;
  }
}
