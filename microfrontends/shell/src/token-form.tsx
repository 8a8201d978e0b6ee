import { useState } from 'preact/hooks';

export interface TokenFormProps {
  /** Default "Who are you?". */
  readonly title?: string;
  /** @throws Error with a sentence for the viewer. */
  readonly onToken: (token: string) => void;
}

/** Form to paste a bearer token, for servers that issue no demo tokens. */
export function TokenForm({ title = 'Who are you?', onToken }: TokenFormProps) {
  const [problem, setProblem] = useState('');
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const token = new FormData(event.currentTarget as HTMLFormElement).get('token');
    try {
      onToken(typeof token === 'string' ? token : '');
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <form class="token-form" onSubmit={submit} data-testid="token-form">
      <h1>{title}</h1>
      <label for="token">Paste a bearer token</label>
      <textarea
        id="token"
        name="token"
        rows={5}
        spellcheck={false}
        autocomplete="off"
        required
        aria-describedby="token-hint token-problem"
      />
      <p id="token-hint">
        For development: <code>npm run token -- --sub customer-1 --role customer</code>. It stays in this tab.
      </p>
      <p id="token-problem" role="alert">
        {problem}
      </p>
      <button type="submit">Continue</button>
    </form>
  );
}
