import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Reads `+ PID` and `- PID`, and kills who is left when its input ends: that is when the process of the tests
 * has ended, however it ended. It has a session of its own, so that a Ctrl-C does not end it first.
 */
const script = `
left=' '
while read sign pid; do
  case $sign in
    +) left="$left$pid " ;;
    -) left=$(printf '%s' "$left" | sed "s/ $pid / /") ;;
  esac
done
for pid in $left; do kill -KILL "$pid"; done
`;

let guard: ChildProcess | null = null;

/** Sees to it that a child, even a stopped one, does not survive the tests. */
export function guardChild(child: ChildProcess): void {
  guard ??= startGuard();
  const { stdin } = guard;
  stdin?.write(`+ ${child.pid}\n`);
  child.once('exit', () => stdin?.write(`- ${child.pid}\n`));
}

function startGuard(): ChildProcess {
  const child = spawn('sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  child.unref();
  (child.stdin as unknown as { unref(): void }).unref();
  return child;
}
