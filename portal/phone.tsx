import type { KeptMessage } from "../store/redis/outbox.ts";

/** The development phone: what was sent, a section for each number or address, newest first. */
export function PhonePage({ messages }: { messages: KeptMessage[] }) {
  const recipients = [...new Set(messages.map(({ to }) => to))];
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="refresh" content="3" />
        <title>Development phone</title>
      </head>
      <body>
        <h1>Development phone</h1>
        <p>
          Messages and mails are kept here and reach nobody. The page looks for new ones by itself.
        </p>
        {recipients.length === 0 && <p>No message was sent yet.</p>}
        {recipients.map((recipient) => (
          <section>
            <h2>{recipient}</h2>
            <ul>
              {messages
                .filter(({ to }) => to === recipient)
                .map((message) => (
                  <Message message={message} />
                ))}
            </ul>
          </section>
        ))}
      </body>
    </html>
  );
}

function Message({ message: { subject, body, at } }: { message: KeptMessage }) {
  return (
    <li>
      <time datetime={at.toISOString()}>{at.toISOString().slice(11, 19)}</time> {subject ?? body}
      {subject && <pre>{body}</pre>}
    </li>
  );
}
