/** The operator has to change something first; the message says what. No bug: it is shown without a stack. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
}
