/** Requests and responses as the layers above CoAP see them: no message id, no token, no blocks. */

export interface CoapOption {
  readonly number: number;
  readonly value: Uint8Array;
}

/** What both framings carry; `code` 0 is the Empty message, which has nothing else (RFC 7252 §4.1). */
export interface Message {
  readonly code: number;
  /** 0 to 8 bytes. */
  readonly token: Uint8Array;
  readonly options: readonly CoapOption[];
  readonly payload: Uint8Array;
}

export interface Request {
  /** A `METHOD` byte. */
  readonly code: number;
  /** In ascending option number, repeated ones in the order sent. */
  readonly options: readonly CoapOption[];
  readonly payload: Uint8Array;
  /** Over UDP: CON or NON. No meaning over TCP. */
  readonly confirmable: boolean;
}

export interface Response {
  /** A `RESPONSE` byte. */
  readonly code: number;
  readonly options: readonly CoapOption[];
  readonly payload: Uint8Array;
}
