/**
 * Sends one mail through nodemailer: a connection of its own for each, since there are few. TLS is used where the server
 * offers it; its certificate is not checked, because keepalived's configuration has no place to name one and the alternative is
 * plain text. The package is loaded with the first mail, so a daemon without mail does not pay for it.
 */
import type { Mailer, MailOrder } from "../ports/mailer.ts";

export function createMailer(): Mailer {
  return { send };
}

async function send(order: MailOrder): Promise<void> {
  const { default: nodemailer } = await import("nodemailer");
  const { host, port, helo, timeoutMillis, from, to, subject, body, time } = order;
  const transport = nodemailer.createTransport({
    host,
    port,
    secure: false,
    name: helo,
    connectionTimeout: timeoutMillis,
    greetingTimeout: timeoutMillis,
    socketTimeout: timeoutMillis,
    dnsTimeout: timeoutMillis,
    tls: { rejectUnauthorized: false },
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  try {
    await transport.sendMail({
      from,
      to: [...to],
      subject,
      text: `${body}\n`,
      date: new Date(time),
      xMailer: "Holdfast",
    });
  } finally {
    transport.close();
  }
}
