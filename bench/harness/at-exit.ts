const works = new Set<() => void>();
let isListening = false;

/** Does this before the process ends, also on Ctrl-C or an error, unless it is taken back by calling what is returned. */
export function atExit(work: () => void): () => void {
  if (!isListening) {
    isListening = true;
    process.once('exit', () => {
      for (const each of works) each();
    });
    process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143));
  }
  works.add(work);
  return () => works.delete(work);
}
