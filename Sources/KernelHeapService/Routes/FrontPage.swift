/// The page at `/`: what this is, the sessions, and where to go on.
///
/// It asks the public API only.
enum FrontPage {
    static let html: StaticString = """
        <!doctype html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>kheapd</title>
        <style>
        body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem }
        pre { background: #f2f2f2; padding: .75rem; overflow-x: auto }
        table { border-collapse: collapse } td, th { text-align: left; padding: .2rem 1rem .2rem 0 }
        @media (prefers-color-scheme: dark) { body { background: #111; color: #ddd } pre { background: #222 } a { color: #8bf } }
        </style>
        <h1>kheapd</h1>
        <p>A simulated Linux kernel heap per session: zones, buddy lists, slabs, page tables, user copies.
        Call kernel functions by their names over HTTP and see what happened, and why.</p>
        <pre id="try"></pre>
        <h2>Sessions</h2>
        <table><thead><tr><th>Id<th>Name<th>Created<th>Idle<th>Held</thead><tbody id="sessions"></tbody></table>
        <p id="state">…</p>
        <p><a href="/openapi.yaml">openapi.yaml</a> · <a href="/v1/profiles">profiles</a> ·
        <a href="/metrics">metrics</a> · <a href="/healthz">health</a></p>
        <script>
        const base = location.origin;
        document.getElementById("try").textContent =
          `id=$(curl -sX POST ${base}/v1/sessions | sed 's/.*"id":"\\\\([0-9a-f]*\\\\)".*/\\\\1/')\\n` +
          `curl -d size=192 -d flags=GFP_KERNEL ${base}/v1/sessions/$id/calls/kmalloc`;
        async function show() {
          const state = document.getElementById("state");
          try {
            const answer = await fetch("/v1/sessions?limit=100");
            if (!answer.ok) throw new Error(answer.status);
            const { sessions, next_cursor } = await answer.json();
            const rows = sessions.map(session => {
              const row = document.createElement("tr");
              const link = document.createElement("a");
              link.href = `/v1/sessions/${session.id}`;
              link.textContent = session.id;
              row.insertCell().append(link);
              for (const text of [session.name, session.created, session.idle_seconds + " s", session.held_bytes + " B"])
                row.insertCell().textContent = text;
              return row;
            });
            document.getElementById("sessions").replaceChildren(...rows);
            state.textContent = sessions.length === 0 ? "None yet." : next_cursor ? "There are more." : "";
          } catch (error) {
            state.textContent = "The service does not answer: " + error.message;
          }
        }
        show();
        setInterval(show, 2000);
        </script>
        </html>

        """
}
