import type { KeptMessage } from "../store/redis/messages/outbox.ts";
import { assetPath } from "./layout/assets.ts";

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
        <link rel="icon" href={assetPath("icon.svg")} type="image/svg+xml" />
        <link rel="stylesheet" href={assetPath("style.css")} />
        <style>{"body { overflow-wrap: anywhere } pre { white-space: pre-wrap }"}</style>
      </head>
      <body>
        <main>
          <h1>Development phone</h1>
          <p>
            This page shows every text message and email. They are sent to nobody. The page reloads
            by itself.
          </p>
          {recipients.length === 0 && <p>No messages yet.</p>}
          {recipients.map((recipient) => (
            <section class="card">
              <h2>{recipient}</h2>
              <ul class="rows">
                {messages
                  .filter(({ to }) => to === recipient)
                  .map((message) => (
                    <Message message={message} />
                  ))}
              </ul>
            </section>
          ))}
        </main>
      </body>
    </html>
  );
}

function Message({ message: { subject, body, at } }: { message: KeptMessage }) {
  return (
    <li>
      <div>
        {subject ?? body}
        {subject && <pre>{body}</pre>}
      </div>
      <time class="quiet" datetime={at.toISOString()}>
        {at.toISOString().slice(11, 19)} UTC
      </time>
    </li>
  );
}
