export * from './errors.ts';
export * from './lmdb-storage.ts';
export {
  type FlushScheduler,
  type MemoryDisk,
  type MemoryDiskOptions,
  memoryDisk,
  type WriteFault,
} from './memory-disk.ts';
export * from './memory-storage.ts';
export * from './storage.ts';
