export {
  checkLinearizability,
  type LinearizabilityOptions,
  type LinearizabilityVerdict,
  type LinearizabilityViolation,
  linearizabilityStepsMax,
} from './check-linearizability.ts';
export type { OperationOutcome, RecordedOperation } from './history.ts';
export type { LinearizableModel } from './model.ts';
export { type RegisterOperation, type RegisterResult, registerModel } from './register-model.ts';
