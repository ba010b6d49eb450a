import type { KeptMessage } from "../store/redis/outbox.ts";

/** The development phone: what was sent, a section for each number, newest first. */
export function PhonePage({ messages }: { messages: KeptMessage[] }) {
  const numbers = [...new Set(messages.map(({ to }) => to))];
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
          Messages are kept here and reach no real phone. The page looks for new ones by itself.
        </p>
        {numbers.length === 0 && <p>No message was sent yet.</p>}
        {numbers.map((number) => (
          <section>
            <h2>{number}</h2>
            <ul>
              {messages
                .filter(({ to }) => to === number)
                .map(({ body, at }) => (
                  <li>
                    <time datetime={at.toISOString()}>{at.toISOString().slice(11, 19)}</time> {body}
                  </li>
                ))}
            </ul>
          </section>
        ))}
      </body>
    </html>
  );
}
