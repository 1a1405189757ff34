import { type HeapProfiler, Session } from 'node:inspector/promises';

/** Objects that are gone again count too. Not among the declared parameters yet. */
const sampling = {
  samplingInterval: 8 * 1024,
  includeObjectsCollectedByMajorGC: true,
  includeObjectsCollectedByMinorGC: true,
};

/** How many bytes of JavaScript objects are made meanwhile, those of other work in this process included: by samples. */
export async function bytesMadeIn(work: () => Promise<unknown>): Promise<number> {
  const session = new Session();
  session.connect();
  try {
    await session.post('HeapProfiler.startSampling', sampling);
    await work();
    const { profile } = await session.post('HeapProfiler.stopSampling');
    return bytesOf(profile.head);
  } finally {
    session.disconnect();
  }
}

function bytesOf({ selfSize, children }: HeapProfiler.SamplingHeapProfileNode): number {
  return children.reduce((sum, child) => sum + bytesOf(child), selfSize);
}
