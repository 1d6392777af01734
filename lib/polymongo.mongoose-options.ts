/** What is there in the place of the options of @nestjs/mongoose's `MongooseModule`, for those who give them. */
export const MONGOOSE_OPTIONS: Readonly<Record<string, string>> = {
  uri: 'Here it is mongoURI.',
  dbName: 'Here it is defaultDB.',
  user: 'Credentials are part of mongoURI, or driverOptions: { auth: { username, password } }.',
  pass: 'Credentials are part of mongoURI, or driverOptions: { auth: { username, password } }.',
  retryAttempts: 'Here it is retry: { attempts, delayMS }; attempts counts the first try, as retryAttempts does.',
  retryDelay: 'Here it is retry: { attempts, delayMS }; the delay doubles before each further try.',
  verboseRetryLog: 'A connect that fails or waits is logged with its reason always; debug: true logs every state.',
  lazyConnection: 'Pools connect with their first call; coldStart: false connects at start and fails it.',
  connectionName:
    'One root reaches every database: users.db(name), @InjectPolyConnection(name), and dbSpecific for other clusters. A ' +
    'second root beside it has a name: forRoot({ name }).',
  connectionErrorFactory:
    "A connect that fails is a PoolConnectError with the driver's error as its cause; catch it where you start.",
};
