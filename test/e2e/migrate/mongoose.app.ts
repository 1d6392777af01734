import { Body, Controller, Get, Injectable, Module, Param, Post } from '@nestjs/common';
import { InjectConnection, InjectModel, MongooseModule, Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import type { Connection, HydratedDocument, Model, Schema as MongooseSchema } from 'mongoose';

@Schema({ timestamps: true })
class Cat {
  @Prop({ required: true, unique: true })
  name!: string;

  @Prop({ default: 0 })
  lives!: number;
}
const CatSchema = SchemaFactory.createForClass(Cat);
type CatDocument = HydratedDocument<Cat>;

@Schema()
class Toy {
  @Prop({ required: true })
  owner!: string;
}
const ToySchema = SchemaFactory.createForClass(Toy);

/** Every document tells its version of the application. */
const stamped = (schema: MongooseSchema) => void schema.add({ app: { type: String, default: 'cats 1' } });

@Injectable()
class CatsService {
  constructor(
    @InjectModel(Cat.name) private readonly cats: Model<Cat>,
    @InjectModel(Toy.name) private readonly toys: Model<Toy>,
    @InjectConnection() private readonly connection: Connection,
  ) {}

  adopt(cat: Pick<Cat, 'name'>): Promise<CatDocument> {
    return this.connection.transaction(async () => {
      const [adopted] = await this.cats.create([{ ...cat, lives: 9 }]);
      await this.toys.create([{ owner: cat.name }]);
      return adopted!;
    });
  }

  async find(name: string) {
    return { cat: await this.cats.findOne({ name }).lean(), toys: await this.toys.countDocuments({ owner: name }) };
  }
}

@Controller('cats')
class CatsController {
  constructor(private readonly cats: CatsService) {}

  @Post()
  adopt(@Body() cat: Pick<Cat, 'name'>) {
    return this.cats.adopt(cat);
  }

  @Get(':name')
  find(@Param('name') name: string) {
    return this.cats.find(name);
  }
}

@Module({
  imports: [
    MongooseModule.forFeature([
      { name: Cat.name, schema: CatSchema },
      { name: Toy.name, schema: ToySchema },
    ]),
  ],
  controllers: [CatsController],
  providers: [CatsService],
})
class CatsModule {}

export const appModule = (uri: string) => ({
  imports: [
    MongooseModule.forRootAsync({
      useFactory: () => ({
        uri,
        dbName: 'cats',
        connectionFactory: (connection: Connection) => connection.plugin(stamped),
      }),
    }),
    CatsModule,
  ],
});
