/** `opcounters` of serverStatus. */
export class OpCounters {
  insert = 0;
  query = 0;
  update = 0;
  delete = 0;
  getmore = 0;
  command = 0;

  count(commandName: string): void {
    switch (commandName) {
      case 'find':
        this.query++;
        break;
      case 'getMore':
        this.getmore++;
        break;
      case 'insert':
      case 'update':
      case 'delete':
        this[commandName]++;
        break;
      default:
        this.command++;
    }
  }
}
