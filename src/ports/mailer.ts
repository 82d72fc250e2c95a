/** Sending one mail. */
export interface MailOrder {
  readonly host: string;
  readonly port: number;
  readonly from: string;
  readonly to: readonly string[];
  readonly helo: string;
  /** For connecting, and for each answer of the server. */
  readonly timeoutMillis: number;
  readonly subject: string;
  readonly body: string;
  /** When it happened, milliseconds since the epoch. */
  readonly time: number;
}

export interface Mailer {
  /** Rejects with an error that says what the server did. */
  send(order: MailOrder): Promise<void>;
}
