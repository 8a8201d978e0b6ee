import { TidegateError } from '@tidegate/core';

/**
 * Returns a provider of tokens for Amazon MSK with IAM. Credentials come from where AWS's SDK finds them: variables, a
 * profile, the container's or the machine's role. Needs the package `aws-msk-iam-sasl-signer-js`.
 *
 * The provider throws TidegateError UNAVAILABLE when no token can be signed, CONFIG_INVALID without the package.
 *
 * @param region AWS region of the cluster, such as `eu-central-1`.
 */
export function awsIamToken(region: string): () => Promise<string> {
  return async () => {
    const { generateAuthToken } = await loadSigner();
    try {
      return (await generateAuthToken({ region })).token;
    } catch (error) {
      throw new TidegateError('UNAVAILABLE', 'AWS credentials sign no token for Kafka.', { cause: error });
    }
  };
}

/** Loaded on first use: it brings AWS's SDK with it, which only installations on AWS need. */
async function loadSigner(): Promise<typeof import('aws-msk-iam-sasl-signer-js')> {
  try {
    return await import('aws-msk-iam-sasl-signer-js');
  } catch (error) {
    throw new TidegateError(
      'CONFIG_INVALID',
      'KAFKA_SASL_MECHANISM=AWS_MSK_IAM needs the package aws-msk-iam-sasl-signer-js: npm install aws-msk-iam-sasl-signer-js',
      { cause: error },
    );
  }
}
