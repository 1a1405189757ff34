/** How a process ends when it is asked to. */
export interface Shutdown {
  /** Ends everything in good order; called once. */
  readonly close: () => Promise<void>;
  /** Says what is going on. */
  readonly say: (line: string) => void;
  /** How long `close` may take, in milliseconds, before the process ends anyway. */
  readonly closeMsMax: number;
}

/**
 * Ends the process in good order on Ctrl-C, SIGTERM, or when the process that started it has gone; at once
 * when asked a second time.
 *
 * Ctrl-C reaches every process of a terminal, and those pass it on to each other, so what comes within half a
 * second counts as once.
 */
export function endOnSignal({ close, say, closeMsMax }: Shutdown): void {
  let askedAt: number | null = null;
  const ask = (why: string): void => {
    const now = performance.now();
    if (askedAt !== null) {
      if (now - askedAt < 500) return;
      say(`${why} again: ending at once`);
      process.exit(1);
    }
    askedAt = now;
    say(`${why}: closing`);
    setTimeout(() => {
      say(`still not closed after ${closeMsMax} ms: ending`);
      process.exit(1);
    }, closeMsMax).unref();
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        say(`could not close in good order: ${error instanceof Error ? error.message : String(error)}`);
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', () => ask('SIGINT'));
  process.on('SIGTERM', () => ask('SIGTERM'));
  const orphaned = () => ask('the parent process has gone');
  process.on('disconnect', orphaned);
  if (process.connected === false) orphaned(); // It went before we listened. Without a channel it is undefined.
}
