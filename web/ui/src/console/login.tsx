import { apiToken, type Refusal } from '../shared/api';

/** What stands here for whoever may not see the streams: why, and what would help. */
export function Login({ refusal, onToken }: { refusal: Refusal; onToken: () => void }) {
  const closed = refusal.code === 'loopback_only';
  return (
    <section class="login">
      <h1>{closed ? 'This console is for this machine' : 'Sign in'}</h1>
      {closed ? (
        <>
          <p>{refusal.message}.</p>
          <p>To open it to others, set <code>auth.api.token</code> in the server's configuration; then sign in here with that token. Watching needs no sign-in.</p>
        </>
      ) : (
        <form onSubmit={(e) => {
          e.preventDefault();
          apiToken.set(String(new FormData(e.currentTarget).get('token')).trim());
          onToken();
        }}>
          <p>From here the console needs the API token: <code>auth.api.token</code> in the server's configuration. It is kept in this tab only.</p>
          {refusal.code === 'wrong_token' && <p class="bad" role="alert">That token is wrong.</p>}
          <label>
            <span>API token</span>
            <input class="field" type="password" autocomplete="current-password" name="token" required autofocus />
          </label>
          <button type="submit" class="button primary">Sign in</button>
        </form>
      )}
    </section>
  );
}
