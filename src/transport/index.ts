export * from './errors.ts';
export * from './founding.ts';
export * from './memory-network.ts';
export * from './transport.ts';
